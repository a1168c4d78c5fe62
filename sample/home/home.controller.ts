import { Controller, Get, Header, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request } from 'express';
import { homePage } from './home-page.js';

@ApiExcludeController()
@Controller()
export class HomeController {
  @Get()
  @Header('Content-Type', 'text/html; charset=utf-8')
  show(@Req() request: Request): string {
    return homePage(`http://127.0.0.1:${request.socket.localPort}`);
  }
}
